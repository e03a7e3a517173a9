"""The words of a report in its language: gettext catalogues, numbers and dates.

English is the source language; `locale/fr/LC_MESSAGES/mrdtrack.po` holds the French.
The catalogue is read as it stands, so no compiled copy can be out of date.
"""

from __future__ import annotations

import functools
import gettext
import io
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Literal, get_args

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# British dates: 12 March 2026 cannot be misread, and French has the same order.
_LOCALES = {"en": "en_GB", "fr": "fr_FR"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NARROW_SPACE = "\u202f"
SEMICOLON = {"en": "; ", "fr": f"{NARROW_SPACE}; "}
FIXED_SPACE = "\u00a0"
TIMES = "\u00d7"
LEAST_PROBABILITY = 1e-300


def mark(text: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is used."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language: sentences, numbers and dates."""

    language: Language
    catalogue: gettext.NullTranslations
    decimal_symbol: str

    def say(self, text: str, **values: str) -> str:
        """Translate a sentence of the catalogue and fill in its `{names}`."""
        return self.catalogue.gettext(text).format(**values)

    def say_plural(self, one: str, many: str, number: int, **values: str) -> str:
        """Translate a sentence that depends on a number, shown as `{number}`."""
        text = self.catalogue.ngettext(one, many, number)
        return text.format(number=self.integer(number), **values)

    def sentence(self, english: str, french: str = "") -> Sentence:
        """Choose the reader's language of a sentence that came in two."""
        if self.language == "fr":
            return Sentence(text=french or english, language="fr" if french else "en")
        return Sentence(text=english, language="en")

    def integer(self, number: int) -> str:
        """Write a whole number with its thousands grouped."""
        return f"{number:,}".replace(",", NARROW_SPACE)

    def plain(self, number: float, digits: int = 2) -> str:
        """Write a number with at least so many significant digits, without powers."""
        exponent = int(f"{number:.{digits - 1}e}".partition("e")[2])
        text = f"{number:.{max(digits - 1 - exponent, 0)}f}"
        whole, _, decimals = text.partition(".")
        symbol = self.decimal_symbol
        return self.integer(int(whole)) + (symbol + decimals if decimals else "")

    def power(self, number: float, digits: int = 2) -> str:
        """Write a positive number as a power of ten, 2.3 times 10 to the -5."""
        mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
        raised = str(int(exponent)).translate(_SUPERSCRIPTS)
        return f"{mantissa.replace('.', self.decimal_symbol)}{TIMES}10{raised}"

    def probability(self, number: float) -> str:
        """Write a p-value: plain from 0.01 on, below as a power of ten."""
        if number >= 0.01:
            return self.plain(number)
        if number < LEAST_PROBABILITY:
            return f"<{NARROW_SPACE}{self.power(LEAST_PROBABILITY, 1)}"
        return self.power(number)

    def decade(self, exponent: int) -> str:
        """Write a power of ten: `10⁻⁵`."""
        return f"10{str(exponent).translate(_SUPERSCRIPTS)}"

    def percent(self, fraction: float, digits: int = 2) -> str:
        """Write a fraction in percent: `0.42%`, in French with a space."""
        return f"{self.plain(100 * fraction, digits)}{self.percent_sign}"

    @property
    def percent_sign(self) -> str:
        """The sign with the space that French sets before it."""
        return "%" if self.language == "en" else f"{NARROW_SPACE}%"

    def long_date(self, iso: str) -> str:
        """Write an ISO date in words: 12 March 2026, 12 mars 2026."""
        from babel.dates import format_date

        day = date.fromisoformat(iso)
        text = format_date(day, "long", locale=_LOCALES[self.language])
        return text.replace(" ", FIXED_SPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence and the language it turned out to be in."""

    text: str
    language: Language


@functools.cache
def words(language: Language) -> Words:
    """Load one language."""
    return Words(
        language=language,
        catalogue=_catalogue(language),
        decimal_symbol=_decimal_symbol(language),
    )


def _decimal_symbol(language: Language) -> str:
    """Give point or comma; English, which all commands need, without loading Babel."""
    if language == "en":
        return "."
    from babel.numbers import get_decimal_symbol

    return str(get_decimal_symbol(_LOCALES[language]))


def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = resources.files("mrdtrack.reports") / "locale" / language
    text = (source / "LC_MESSAGES" / "mrdtrack.po").read_text(encoding="utf-8")
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.StringIO(text), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
