"""A stand-in for the telephone network and the post: Twilio's message API, SMTP, and a phone.

It is a process of its own and knows nothing of the site: what it learns comes over HTTP and
SMTP, what it says goes over HTTP. README.md beside this file has the command line, the control
API and the magic numbers.
"""
