"""Look for input that crashes, hangs, or is silently misread: `make fuzz`.

Each kind of file mrdtrack reads is made once, small and right, and then changed: bytes
at random, and parts by their structure with every checksum made right again, so that
the damage gets past the first gate. What a changed file may lead to is one of two: one
sentence of refusal, or a result that the change explains (see `kinds`).
"""
