"""A login replaces the hash of a password that is weaker than those of today."""

from ..client import Stage
from ..console import check, say

PASSWORD = "a password hashed long ago"
# Of it, with 4 MiB and one pass. Made with argon2-cffi 25.1:
# hash_secret(PASSWORD.encode(), b"somesaltsomesalt", 1, 4096, 1, 32, Type.ID)
WEAK = (
    "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "RamFpNAbglIxItRVzioS2MRoTSDH3AvzL4vJWIBODpI"
)
TODAY = "$argon2id$v=19$m=19456,t=2,p=1$"


def replace_weak_hash(stage: Stage) -> None:
    database, table = stage.client("dynamodb"), stage.resources["UsersTable"]
    account, _ = stage.new_client()
    name = {"pk": {"S": f"name#{account.username}"}}
    user = database.get_item(TableName=table, Key=name)["Item"]["user_id"]["S"]
    key = {"pk": {"S": f"user#{user}"}}

    def stored() -> str:
        item = database.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        return item["password_hash"]["S"]

    database.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET password_hash = :hash",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":hash": {"S": WEAK}},
    )
    login = {"username": account.username, "password": PASSWORD}
    stage.expect(200, "POST", "/api/client/login", login)
    check(stored().startswith(TODAY), "a weak hash is replaced at the login")
    stage.expect(200, "POST", "/api/client/login", login)
    say("a login replaced a weak hash")
