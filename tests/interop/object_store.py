"""What the readers need to find a lake in a bucket: the environment of the jobs, under the readers' own names."""

import os

NAMES = {
    "pyiceberg": ("s3.endpoint", "s3.access-key-id", "s3.secret-access-key", "s3.region"),
    "deltalake": ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"),
    "pypaimon": ("fs.s3.endpoint", "fs.s3.accessKeyId", "fs.s3.accessKeySecret", "fs.s3.region"),
}
VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


def options_for(reader, location):
    """Nothing for a lake in a folder."""
    if "://" not in location:
        return {}
    options = {name: os.environ[variable] for name, variable in zip(NAMES[reader], VARIABLES)}
    # Loopback has no certificate.
    return {**options, "AWS_ALLOW_HTTP": "true"} if reader == "deltalake" else options
