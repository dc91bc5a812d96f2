"""E-mails, phones and names of people. Knows no lead and no student."""
