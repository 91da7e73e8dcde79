"""The words that the form's script shows."""

# `{status}` and `{contact}` are filled in, the status by the script itself.
WORDS = {
    "connection_lost": (
        "The connection was lost. Everything you typed is still here: press send again. If that"
        " fails, try another network or a smaller file"
    ),
    "sending": "Sending",
    "cancelled": "Nothing was sent. Everything you typed is still here",
    "sending_timed_out": (
        "The site did not answer for a minute. Everything you typed is still here: check your "
        "connection and press send again"
    ),
    "sending_too_large": (
        "Your file is too large for a system between you and this site (status {status}). "
        "Select a smaller file or try another network{contact}"
    ),
    "sending_refused": (
        "A system between you and this site refused the form (status {status}). Sending it "
        "again will not help: try another network or device{contact}"
    ),
    "sending_unavailable": (
        "This site cannot be reached right now (status {status}). Everything you typed is still"
        " here: press send again in a minute{contact}"
    ),
}
