"""Operator tasks: deliver e-mails, sweep files, remind attorneys, back up, check the site."""
