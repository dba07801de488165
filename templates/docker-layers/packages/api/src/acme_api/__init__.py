"""A member that is started."""

import six
from acme_core import NAME

print(six.ensure_str(NAME))
