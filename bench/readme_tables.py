"""Tables of measurements, put where a document keeps them."""

import re


def put(path, name, lines):
    """Replaces what stands between <!-- NAME --> and <!-- /NAME -->."""
    text = path.read_text()
    pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{path}: no markers <!-- {name} --> and <!-- /{name} -->")
    path.write_text(pattern.sub(lambda m: m[1] + "\n".join(lines) + "\n" + m[2], text))
