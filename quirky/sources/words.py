"""Lists of words in text files."""

from pathlib import Path


def read_words(path: str | Path) -> frozenset[str]:
    """Return the words of a text file with one word a line, in lower case.

    Blank lines and lines that begin with a semicolon are skipped.

    Raises:
        ValueError: one line that names the file, and the line if one holds several words.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; give a text file with one word a line")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    words = set()
    for index, line in enumerate(lines, 1):
        parts = [] if line.startswith(";") else line.lower().split()
        if len(parts) > 1:
            raise ValueError(f"{path}, line {index}: {line.strip()!r} is not one word")
        words.update(parts)
    if not words:
        raise ValueError(f"{path}: there are no words; write one word a line")
    return frozenset(words)
