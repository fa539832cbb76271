"""schemas.py - the JSON formats as their readers document them, strictly: a
key that the document does not name is an error. Written from the documents;
each names its own."""

TEXT = {"type": "string"}
NAME = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
POINTS = {"type": "number", "minimum": 0}
TIME = {"type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"}
VISIBILITY = {"enum": ["visible", "hidden", "after_due_date",
                       "after_published"]}


def closed(required, optional=None):
    """An object of these keys and no other."""
    return {"type": "object", "additionalProperties": False,
            "required": list(required),
            "properties": {**required, **(optional or {})}}


def listed(items):
    return {"type": "array", "items": items}


# foundation50/classroom50: schemas/result-v1.schema.json. The runner adds
# owner, assignment_type and submitted_by itself.
CLASSROOM50 = closed({
    "schema": {"const": "classroom50/result/v1"}, "classroom": NAME,
    "assignment": NAME, "submission": {**TEXT, "pattern": "^submit/"},
    "commit": NAME, "release": NAME, "review": NAME, "datetime": TIME,
    "score": COUNT, "max-score": COUNT,
    "tests": listed({
        "type": "object",
        "required": ["test-name", "passed", "score", "max-score"],
        "properties": {"test-name": NAME, "passed": {"type": "boolean"},
                       "score": COUNT, "max-score": COUNT}})})

# gradescope-autograders.readthedocs.io/en/latest/specs
GRADESCOPE = closed({
    "tests": listed(closed(
        {"score": POINTS, "max_score": POINTS, "name": NAME, "output": TEXT,
         "status": {"enum": ["passed", "failed"]}, "visibility": VISIBILITY},
        {"number": {**TEXT, "pattern": r"^\d+(\.\d+)*$"}, "tags": listed(NAME),
         "name_format": {"enum": ["text", "html", "simple_format", "md",
                                  "ansi"]},
         "output_format": {"enum": ["text", "html", "simple_format", "md",
                                    "ansi"]}}))},
    {"execution_time": COUNT, "output": TEXT, "output_format": TEXT,
     "visibility": VISIBILITY, "stdout_visibility": VISIBILITY})

# github-education-resources: autograding-command-grader, src/main.js, and
# what autograding-grading-reporter takes.
CLASSROOM = closed({
    "version": {"const": 1}, "status": {"enum": ["pass", "fail", "error"]},
    "max_score": POINTS,
    "tests": listed(closed({
        "name": NAME, "status": {"enum": ["pass", "fail", "error"]},
        "score": POINTS, "message": TEXT, "test_code": TEXT, "filename": TEXT,
        "line_no": COUNT, "duration": COUNT}))})

# docs.gitlab.com/ci/testing/code_quality, Code quality report format
CODE_QUALITY = listed(closed({
    "description": NAME, "check_name": NAME, "fingerprint": NAME,
    "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
    "location": closed({"path": NAME, "lines": closed({
        "begin": {"type": "integer", "minimum": 1}})})}))

# docs.autolabproject.com: lab, features/formatted-feedback
AUTOLAB_FEEDBACK = {
    "type": "object", "required": ["_presentation", "stages"],
    "properties": {"_presentation": {"const": "semantic"},
                   "stages": listed(NAME)},
    "additionalProperties": {
        "type": "object", "additionalProperties": closed(
            {"passed": {"type": "boolean"}}, {"hint": TEXT})}}
AUTOLAB_SCORES = closed(
    {"scores": {"type": "object", "additionalProperties": POINTS}},
    {"scoreboard": listed(POINTS)})
