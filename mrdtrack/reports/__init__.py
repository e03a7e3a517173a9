"""One module a format; one view-model feeds them all."""
