"""What must be true of a deployed stage, one module per check."""

from . import bytes as bytes_
from . import (
    certificates,
    collection,
    events,
    files,
    imports,
    invitations,
    links,
    logs,
    parameters,
    passwords,
    permissions,
    races,
    receipts,
    recovery,
    second_factors,
    sessions,
    streaming,
    uploads,
)

# In this order: the last two look at what all the others have done.
CHECKS = [
    ("parameters that are refused", parameters.propose_parameters),
    ("the Postman collection", collection.run_collection),
    ("the events of events/, sent to the functions", events.send_events),
    ("files in parts", files.upload_files),
    ("imports from a test host", imports.import_files),
    ("recipients who are invited", invitations.invite_recipients),
    ("the hash of an old password", passwords.replace_weak_hash),
    ("sessions", sessions.use_sessions),
    ("second factors", second_factors.use_second_factors),
    ("passwords and addresses", recovery.recover_accounts),
    ("binary content", bytes_.download_binary_file),
    ("the states of a link", links.use_links),
    ("concurrent downloads", races.race_for_links),
    ("receipts", receipts.tamper_with_receipts),
    ("certificates", certificates.check_certificates),
    ("streamed downloads", streaming.stream_files),
    ("an upload whose answer is lost", uploads.lose_an_answer),
    ("what schedules remove", files.remove_files),
    ("secrets in logs", logs.search_logs),
    ("permissions", permissions.compare_permissions),
]
