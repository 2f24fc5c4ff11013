"""The audit of the stage, by each of its indexes."""

from ..client import Stage
from ..console import check, say


def read_audit(stage: Stage) -> None:
    admin, token = stage.new_admin()
    admin_id = stage.user(token, admin)["id"]

    def lines(query: str) -> list[dict[str, str]]:
        return stage.expect(200, "GET", f"/api/admin/audit?{query}", token=token)

    newest = lines("action=session_begun")[0]
    about, by = newest["subject"], newest["actor"]
    check((about, by) == (f"user:{admin_id}", admin_id), f"the login of that admin: {newest}")
    for query in (f"subject={newest['subject']}", f"actor={newest['actor']}"):
        check(newest in lines(query), f"{query} has the line, too")
    say("the audit was read by subject, by actor and by time")
