"""The shape of a statement has no value in it, whatever the text; what is uncertain is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sources._statements import Cost, Costs, most, shape


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT a.b, count(*) FROM t WHERE x = $1", "SELECT a.b, count (*) FROM t WHERE x = ?"),
        ("select * from t where n='O''Neil' and i=-12.5e3", "select * from t where n = ? and i = - ?"),
        ("UPDATE t SET n = E'it\\'s canary' -- canary\nWHERE /* canary /* x */ */ i IN (1,2, 3)",
         "UPDATE t SET n = ? WHERE i IN (?, …)"),
        ("SELECT $tag$canary $$ canary$tag$, $$canary$$, \"Case\", x['canary'], 7::int",
         'SELECT ?, …, "Case", x [?], ?::int'),
        ("create role bob password 'canary'", "CREATE …"),
        ("SET app.user = canary", "SET …"),
        ("EXEC find canary", "EXEC …"),
        ("SELECT 'canary", "SELECT …"),
        ("SELECT 'C:\\canary'", "SELECT …"),
        ("SELECT 1 /* canary", "SELECT ? …"),
        ("'canary'", "…"),
        ("", "…"),
    ],
)  # fmt: skip
def test_a_shape_has_words_and_no_values(text: str, said: str) -> None:
    assert shape(text) == said


def test_where_double_quotes_may_be_values_they_are() -> None:
    assert shape('SELECT [First Name] FROM t WHERE n = "canary"', quoted_names=False) == (
        "SELECT [First Name] FROM t WHERE n = ?"
    )


@given(st.text(st.sampled_from("'\"$\\/*-[]ex1 ,"), max_size=30), st.sampled_from(["'{}'", "$a${}$a$", "E'{}'"]))
def test_a_value_after_anything_that_is_whole_never_comes_through(noise: str, quoted: str) -> None:
    value = quoted.format("canary" + noise.replace("'", "").replace("\\", "").replace("$", ""))
    assert "canary" not in shape(f"SELECT {value}, {noise}")


def test_costs_are_those_since_the_last_look_and_a_new_or_reset_one_began_at_nothing() -> None:
    costs = Costs[str]()
    assert costs.grown({"a": Cost(5, 1.0), "b": Cost(9, 9.0)}) == {}
    grown = costs.grown({"a": Cost(7, 1.5), "b": Cost(2, 0.5), "c": Cost(1, 3.0)})
    assert grown == {"a": Cost(2, 0.5), "b": Cost(2, 0.5), "c": Cost(1, 3.0)}
    assert costs.grown({"a": Cost(7, 1.5)}) == {}
    assert most([("x", Cost(1, 1)), ("y", Cost(1, 3)), ("x", Cost(2, 4))], 1) == {"x": Cost(3, 5)}
