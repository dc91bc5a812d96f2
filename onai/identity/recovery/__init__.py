"""A new password of one's own: the request for it, the letter with a link, and the link's page.

The request tells nobody whether an address has an account: the same row and job are written for
every address, and the worker finds out. It knows no student and no outbox of students' letters.
"""
