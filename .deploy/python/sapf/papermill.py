"""Papermill's -p for notebooks of the sapf kernel.

Papermill finds Engine by an entry point, so that the translator below is
registered wherever this package is installed.
"""

import json
import math

from papermill.engines import NBClientEngine
from papermill.translators import Translator, papermill_translators


class Engine(NBClientEngine):
    """Papermill's own engine, under a name that is an entry point."""


class GoTranslator(Translator):
    """Parameters as Go: quick := true."""

    @classmethod
    def translate_escaped_str(cls, str_val):
        return json.dumps(str(str_val), ensure_ascii=True)  # a string of JSON is one of Go

    @classmethod
    def translate_none(cls, val):
        raise ValueError("None has no type in Go: give a value")

    @classmethod
    def translate_bool(cls, val):
        return "true" if val else "false"

    @classmethod
    def translate_float(cls, val):
        if not math.isfinite(val):
            raise ValueError("%r is no constant of Go" % val)
        text = repr(float(val))
        return text if any(c in text for c in ".e") else text + ".0"

    @classmethod
    def translate_list(cls, val):
        return "[]%s{%s}" % (cls._type(val), ", ".join(cls.translate(v) for v in val))

    @classmethod
    def translate_dict(cls, val):
        entries = ", ".join("%s: %s" % (cls.translate_str(k), cls.translate(v)) for k, v in val.items())
        return "map[string]%s{%s}" % (cls._type(val.values()), entries)

    @classmethod
    def _type(cls, values):
        kinds = {type(v) for v in values}
        for types, name in (({bool}, "bool"), ({int}, "int"), ({int, float}, "float64"), ({str}, "string")):
            if kinds and kinds <= types:
                return name
        return "any"

    @classmethod
    def comment(cls, cmt_str):
        return ("// " + cmt_str).strip()

    @classmethod
    def assign(cls, name, str_val):
        return "%s := %s" % (name, str_val)


papermill_translators.register("sapf", GoTranslator)
papermill_translators.register("go", GoTranslator)  # the kernel under another name
