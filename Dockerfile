# XAI Lightbox as one container: exact versions, a user without rights, nothing but the program and what it runs on.
FROM python:3.11-slim AS built
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/lightbox \
    && PIP_CONSTRAINT=/src/constraints.txt /opt/lightbox/bin/pip install --quiet -r requirements.txt
COPY . .
RUN PIP_CONSTRAINT=/src/constraints.txt /opt/lightbox/bin/pip install --quiet ".[sign-in]"

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 lightbox \
    && mkdir /data \
    && chown lightbox:lightbox /data
COPY --from=built /opt/lightbox /opt/lightbox
USER 10001
WORKDIR /home/lightbox
ENV PATH=/opt/lightbox/bin:$PATH XAI_LIGHTBOX_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["lightbox", "run-dashboard", "--address", "0.0.0.0"]
