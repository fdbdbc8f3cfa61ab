"""Arithmetic from a syntax tree, never from `eval`: what is not listed here does not exist."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from langchain_core.tools import ToolException, tool

MAX_EXPRESSION_CHARS = 500
MAX_DIGITS = 1_000
MAX_BITS = MAX_DIGITS * 4
MAX_FACTORIAL = 400
MAX_PLACES = 400
# What a float of 64 bits surely knows: 0.1 + 0.2 is 0.3 to a person.
FLOAT_DIGITS = 15
Number = int | float

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(math, name)
    for name in (
        *("sqrt", "exp", "log", "log2", "log10", "floor", "ceil", "hypot", "degrees", "radians"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
    )
} | {"abs": abs, "min": min, "max": max}
CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}


@tool(parse_docstring=True)
def calculator(expression: str) -> str:
    """Work out an arithmetic expression. Use it for every calculation.

    Args:
        expression: such as "(3 + 4) * 2 ** 10" or "sqrt(2) * sin(pi / 4)". Known are + - * / // %
            **, parentheses, pi, e, tau, and the functions abs, round, min, max, sqrt, exp, log,
            log2, log10, floor, ceil, factorial, hypot, degrees, radians and the trigonometric
            ones.
    """
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise ToolException(f"The expression is longer than {MAX_EXPRESSION_CHARS} characters.")
    try:
        # `^` means a power to most people and to no Python.
        tree = ast.parse(expression.strip().replace("^", "**"), mode="eval")
        return _written(_bounded(_value(tree.body)))
    except SyntaxError as error:
        raise ToolException(f"This is no arithmetic expression: {error.msg}.") from None
    except (ValueError, MemoryError, RecursionError, TypeError) as error:
        raise ToolException(f"This cannot be worked out: {error}.") from None
    except ZeroDivisionError:
        raise ToolException("This divides by zero.") from None
    except OverflowError:
        raise ToolException("The result is too large.") from None


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _bounded(value)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in SIGNS:
            return _bounded(SIGNS[type(op)](_value(operand)))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _bounded(OPERATORS[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _called(name, [_value(each) for each in args])
    raise ValueError(f"only numbers, operators and known functions may stand in it, {_seen(node)}")


def _called(name: str, args: list[Number]) -> Number:
    if name == "factorial":
        return _factorial(args)
    if name == "round":
        return _rounded(args)
    if name not in FUNCTIONS:
        raise ValueError(f"there is no function {name!r}")
    return _bounded(FUNCTIONS[name](*args))


def _factorial(args: list[Number]) -> int:
    match args:
        case [int() as number] if 0 <= number <= MAX_FACTORIAL:
            return math.factorial(number)
    raise ValueError(f"factorial takes one whole number from 0 to {MAX_FACTORIAL}")


def _rounded(args: list[Number]) -> Number:
    """Python would work out ten to the power of what an integer is rounded to."""
    match args:
        case [number]:
            return round(number)
        case [number, int() as places] if abs(places) <= MAX_PLACES:
            return round(number, places)
    raise ValueError(f"round takes a number, and places from -{MAX_PLACES} to {MAX_PLACES}")


def _power(base: Number, exponent: Number) -> Number:
    """Checked before: nothing stops a power once it has begun."""
    whole = isinstance(base, int) and isinstance(exponent, int) and exponent > 0
    if whole and base not in (-1, 0, 1) and int(base).bit_length() * exponent > MAX_BITS:
        raise OverflowError
    return _bounded(base**exponent)


def _bounded(value: Any) -> Number:
    if isinstance(value, complex):
        raise ValueError("the result is not a real number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise OverflowError
    if isinstance(value, float) and not math.isfinite(value):
        raise OverflowError
    known: Number = value
    return known


def _written(value: Number) -> str:
    return str(value) if isinstance(value, int) else f"{value:.{FLOAT_DIGITS}g}"


def _seen(node: ast.expr) -> str:
    return f"got {ast.unparse(node)[:60]!r}"
