/** Whether tests that need a container engine can run here, and with which image. */
import { existsSync } from 'node:fs';

/** Where testcontainers would look first. Podman and Colima users name theirs in DOCKER_HOST. */
export const hasContainerEngine = (process.env.DOCKER_HOST ?? '') !== '' || existsSync('/var/run/docker.sock');

/** Of Postgres in that major version: the official one, unless BRANCHLINE_CONTAINER_IMAGE names another (scripts/container-engine prints one). */
export const containerImage = (major: number): string => process.env.BRANCHLINE_CONTAINER_IMAGE ?? `postgres:${major}`;

export const withoutEngine =
  'tests on Postgres in a container. They need a container engine: scripts/container-engine, or DOCKER_HOST.';
