"""The funnel's pages of money: figures, lists, times to access, learning."""
