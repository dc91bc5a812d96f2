"""The browser's session, from the attempt to sign in to the forms that are sent in it."""
