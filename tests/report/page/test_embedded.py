"""The MRE inside a page."""

import pytest

from uvmre.errors import InputError
from uvmre.report.page.embedded import read_page


def test_a_page_without_an_mre_has_no_files() -> None:
    assert read_page("<html><script>1</script></html>", "x") == ()


@pytest.mark.parametrize(("content", "why"), [("QQ=Q", "not base64"), ("QUJD", "not a usable zip archive")])
def test_a_damaged_mre_is_an_error(content: str, why: str) -> None:
    with pytest.raises(InputError) as raised:
        read_page(f'<script type="application/zip;base64" id="mre">{content}</script>', "x")
    assert why in raised.value.faults[0]
