# asrdq without torch: docker build -t asrdq . && docker run --rm -v "$PWD:/work" asrdq gate train
FROM python:3.11-slim
ENV HOME=/tmp PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/asrdq
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src ./src
COPY policies ./policies
COPY criteria ./criteria
COPY expectations ./expectations
COPY recipes ./recipes
COPY hardware ./hardware
COPY docs/reference/policy.schema.json ./docs/reference/policy.schema.json
COPY data_samples ./data_samples
RUN pip install -c constraints.txt ".[checks,s3,signing]"
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["asrdq"]
CMD ["--help"]
