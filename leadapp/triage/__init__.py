"""The use cases of an attorney.

Attorneys find, read and export leads, open resumes, mark leads as reached out and erase them.
"""
