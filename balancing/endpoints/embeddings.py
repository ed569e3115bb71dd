"""POST /v1/embeddings."""

from balancing.endpoints.service import service_endpoint
from translators import embeddings

EMBEDDINGS = service_endpoint("/v1/embeddings", embeddings.read, embeddings.SERVICES)
