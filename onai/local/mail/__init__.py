"""A stand-in for Resend: it takes letters as the SDK sends them, and shows them in a mailbox."""
