"""nginx's page for a status."""


def error_page(status: int, phrase: str, why: str = "") -> bytes:
    """Return the page that nginx has for an answer of its own; `why` where it says more than the status."""
    title, told = f"<title>{status} {why or phrase}</title>", f"<h1>{status} {phrase}</h1>"
    lines = ["<html>", f"<head>{title}</head>", "<body>", f"<center>{told}</center>"]
    more = [f"<center>{why}</center>"] if why else []
    return "\r\n".join([*lines, *more, "<hr><center>nginx/1.25.4</center>", "</body>", "</html>", ""]).encode()
