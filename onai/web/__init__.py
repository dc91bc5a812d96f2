"""What all requests and answers have in common: what may come in, which headers go out."""
