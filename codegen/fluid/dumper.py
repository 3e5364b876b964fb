"""YAML as people and `kubectl` like it: keys in the order given, no folded lines, no anchors, scripts as blocks."""

import yaml


class Dumper(yaml.CSafeDumper):
    """Writes every value where it stands, and so that no reader sees another text or type."""

    def ignore_aliases(self, data: object) -> bool:
        """Write no anchors."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write plain words and lines as they are, in quotes all else."""
        lines, style = text.split("\n"), '"'
        trimmed = all(line == line.rstrip() for line in lines)
        if trimmed and len(lines) > 1:
            plain = all(line.replace("\t", "").isprintable() for line in lines)
            style = "|" if plain and text[0].strip() else '"'
        elif trimmed and text not in "yYnN" and text.isascii() and text.isprintable():
            # The emitter chooses, and quotes what it reads as a number, date or boolean.
            style = "" if text[0] in "/$" or text.lstrip("-")[:1].isalpha() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


Dumper.add_representer(str, Dumper.represent_text)
Dumper.add_multi_representer(str, Dumper.represent_text)
Dumper.add_multi_representer(dict, Dumper.represent_dict)


def dump_yaml(*documents: object) -> str:
    """Return the documents as YAML."""
    return yaml.dump_all(
        documents,
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=2**31 - 1,
    )
