"""Clinical rules as TOML package data, and their reader."""
