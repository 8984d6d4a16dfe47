# A Flink cluster that serves policies. Targets: `runtime`, and `tenstorrent`, which adds Python and ttnn.
#
# The jars are built here from the sources; with --build-arg JARS=host they are taken from the machine instead,
# where `./mvnw -pl containers -am package` has put them.
ARG JARS=maven

FROM eclipse-temurin:25-jdk AS jars-maven
# The version that .mvn/wrapper has.
ADD --checksum=sha256:80ffca22aed9e8b9713a232f3394fd81d7f20322df75efdb2b047dbd3e3a23bb \
  https://repo.maven.apache.org/maven2/org/apache/maven/apache-maven/3.9.16/apache-maven-3.9.16-bin.tar.gz /tmp/maven.tar.gz
RUN mkdir /opt/maven && tar -xzf /tmp/maven.tar.gz -C /opt/maven --strip-components 1
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/root/.m2 \
  /opt/maven/bin/mvn -B -ntp -pl containers -am package -Dmaven.test.skip=true -Dspotless.check.skip=true && \
  mv containers/target/flink /flink

FROM scratch AS jars-host
COPY containers/target/flink /flink

FROM jars-${JARS} AS jars

FROM flink:2.3.0-java21 AS distribution

# From JDK 24 on, a ServiceLoader throws the NoClassDefFoundError of the YARN client, for want of Hadoop, past the
# place where Flink expects it, and bin/flink ends without a message. Nothing here is for YARN.
FROM eclipse-temurin:25-jdk AS flink
COPY --from=distribution /opt/flink /opt/flink
RUN services=META-INF/services/org.apache.flink.client.deployment.ClusterClientFactory && \
  cd /tmp && jar --extract --file /opt/flink/lib/flink-dist-*.jar $services && sed -i /yarn/d $services && \
  jar --update --file /opt/flink/lib/flink-dist-*.jar $services

FROM eclipse-temurin:25-jre AS runtime
RUN apt-get update && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gettext-base libjemalloc-dev && \
  rm -rf /var/lib/apt/lists/* && \
  groupadd --system --gid=9999 flink && \
  useradd --system --create-home --home-dir /opt/flink --uid=9999 --gid=flink flink
ENV FLINK_HOME=/opt/flink
ENV PATH=$FLINK_HOME/bin:$PATH
WORKDIR $FLINK_HOME
COPY --from=distribution /docker-entrypoint.sh /
COPY --from=flink --chown=flink:flink /opt/flink .
COPY --from=jars --chown=flink:flink /flink .
COPY --chown=flink:flink conf/config.yaml conf/
COPY --chown=flink:flink containers/serve bin/
USER flink
# Checkpoints; a volume that is mounted here belongs to the user who has made it.
RUN mkdir state
ENTRYPOINT ["/docker-entrypoint.sh"]
EXPOSE 6123 8081 9249
CMD ["help"]

# Python and ttnn, for Tenstorrent cards. Ubuntu's Python 3.12 comes with the library that Java loads.
FROM runtime AS tenstorrent
USER root
RUN apt-get update && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3.12 python3.12-venv libpython3.12 && \
  rm -rf /var/lib/apt/lists/*
# Where there is no card, as in a build, a stand-in for the kernel compiler is installed too: it must not meet one.
RUN java -cp 'lib/*:usrlib/*' dev.pi0stream.job.cli.Main devices --install-ttnn /opt/ttnn && \
  grep -rl 'stand-in of pi0-stream' /opt/ttnn --include=riscv-tt-elf-g++ | xargs -r rm
ENV PI0_TTNN=/opt/ttnn
USER flink

# What is built when no target is named.
FROM runtime
