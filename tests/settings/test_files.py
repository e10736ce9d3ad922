"""A file of own words is read with the settings: its words are said, and what is wrong in it is no start."""

from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.settings.files import LARGEST_FILE, text_in, wording_in
from tests.settings.test_reading import WHOLE

GONE = m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone", purpose="customer")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of own words, in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "words.toml"
    path.write_text('[fr]\nalready_gone = "{Who} était déjà parti."\n', encoding="utf-8")
    return path


def faults_of(variables: dict[str, str]) -> tuple[str, ...]:
    """What is wrong with these."""
    with pytest.raises(Misconfigured) as caught:
        settings.read(variables)
    return caught.value.faults


def test_own_words_are_read_with_the_settings(words: Path) -> None:
    """A file brings a language, its variable names it as it is, and what was read stays although the file changes."""
    said = settings.read({**WHOLE, "ONHOOK_WORDING__FILE": str(words), "ONHOOK_SOURCES__DESK__LANGUAGE": "fr"})
    words.write_text("[", encoding="utf-8")
    assert said.wording.wording.explanation(GONE, "fr").startswith("The caller était déjà parti.")
    assert settings.read(WHOLE).wording.wording.languages == ("de", "en")


def test_a_language_without_words_is_no_start(words: Path) -> None:
    """A source that is to be told in a language that nobody wrote is named, with those there are."""
    assert faults_of({**WHOLE, "ONHOOK_WORDING__FILE": str(words), "ONHOOK_SOURCES__DESK__LANGUAGE": "it"}) == (
        "sources.desk.language: there are no words in “it”; there are de, en, fr, and wording.file may bring more",
    )


@pytest.mark.parametrize(
    "text, fault",
    [
        ("[de]\nexpired = 7\nlost = 'x'", "de.expired: is to be a sentence; de.lost: there is no such sentence"),
        ("[de", "is not read as TOML"),
        ("x" * (LARGEST_FILE + 1), "it is over 1024 KiB"),
    ],
)
def test_what_is_wrong_in_the_file_is_no_start(words: Path, text: str, fault: str) -> None:
    """Unknown sentences, and a file that is none, are said in words before anything is opened."""
    words.write_text(text, encoding="utf-8")
    (said,) = faults_of({**WHOLE, "ONHOOK_WORDING__FILE": str(words)})
    assert said.startswith(f"wording: file {words}")
    assert fault in said


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there, or no text, is said without what is in it."""
    with pytest.raises(ValueError, match="it cannot be opened: No such file"):
        text_in(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="it is not text in UTF-8"):
        wording_in(tmp_path / "odd.toml")
