"""Whether the two halves agree: clicks, choices, deals and accesses, their money and their gaps."""
