"""Python source as documents: what a function does, then the function.

A documented function becomes a heading (the first sentence of its docstring), a paragraph of code (decorators left out, docstring removed,
comments and line breaks dropped) and the rest of the docstring's prose. Classes and modules become their name and the prose of their docstring.
"""
import ast
import re

CODE = range(60, 1200)  # characters of a function's code, without its docstring
SECTION = re.compile(r"^\s*(:\w+.*:|@\w+|>>>|\.\. |(Parameters?|Args|Arguments|Returns?|Yields?|Raises|Examples?|Notes?|References|See Also|Attributes|Methods|Input|Output)\s*:?\s*$)", re.M)


def prose(docstring):
    """Paragraphs before the first section on parameters, examples or the like."""
    text = docstring[: m.start()] if (m := SECTION.search(docstring)) else docstring
    text = re.sub(r":\w+:`~?([^`<]*)[^`]*`|``?([^`]*)``?_?", r"\1\2", text)
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", text) if p.strip() and not re.search(r"^\s*[-=~*+^|]{4,}", p, re.M)]


def words(name):
    """load_HTTPFile -> load HTTP file."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ").replace(".", " ").split()
    return " ".join(p if p.isupper() else p.lower() for p in parts)


def function_blocks(node, docstring):
    first, *rest = prose(docstring) or [""]
    node.decorator_list, node.body = [], node.body[1:]
    if not first or not node.body:
        return []
    code = " ".join(ast.unparse(node).split())
    if len(code) not in CODE:
        return []
    return [f"# {first}" if len(first) < 88 else first, code, *rest]


def read_python(data, path):
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return
    if docstring := ast.get_docstring(tree):
        yield [f"# {words(path.parent.name if path.stem == '__init__' else path.stem)}", *prose(docstring)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (docstring := ast.get_docstring(node)):
            yield [f"# {words(node.name)}", *prose(docstring)]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (docstring := ast.get_docstring(node)):
            yield function_blocks(node, docstring)
