"""WHAT is looked for: the panel file, the reference, the haplotypes."""
