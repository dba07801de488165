"""A member that the other one needs."""

import idna

NAME = idna.encode("acme").decode()
