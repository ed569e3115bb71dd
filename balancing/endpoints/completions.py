"""POST /v1/completions: OpenAI's older endpoint, for providers that have it."""

from balancing.endpoints.service import service_endpoint
from translators import completions

COMPLETIONS = service_endpoint("/v1/completions", completions.read, completions.SERVICES)
