/** The gateway with client certificates (mTLS), seen by Temporal's own client. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../../shim/gateway';
import { afterTest } from '../support/database';
import { testService } from '../support/service';

interface Pair {
  crt: Buffer;
  key: Buffer;
}

/** Certificates by openssl, in a folder of its own. */
class Authority {
  private readonly folder = mkdtempSync(join(tmpdir(), 'branchline-mtls-'));

  constructor(private readonly name: string) {
    this.openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, ...this.to(name));
  }

  get certificate(): Buffer {
    return readFileSync(this.file(`${this.name}.crt`));
  }

  /** A key and its certificate, which this authority signed. */
  issue(subject: string, days = 1): Pair {
    writeFileSync(this.file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const request = this.file(`${subject}.csr`);
    this.openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', this.file(`${subject}.key`), '-out', request);
    const by = ['-CA', this.file(`${this.name}.crt`), '-CAkey', this.file(`${this.name}.key`), '-CAcreateserial'];
    const crt = this.file(`${subject}.crt`);
    this.openssl('x509', '-req', '-in', request, ...by, '-days', `${days}`, '-extfile', this.file('ext'), '-out', crt);
    return { crt: readFileSync(crt), key: readFileSync(this.file(`${subject}.key`)) };
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }

  private file = (name: string): string => join(this.folder, name);
  private to = (name: string): string[] => ['-keyout', this.file(`${name}.key`), '-out', this.file(`${name}.crt`)];
}

const newKey = ['-newkey', 'rsa:2048', '-nodes'];

describe('the gateway with client certificates', () => {
  let ours: Authority;
  let others: Authority;
  let server: Pair;

  beforeAll(() => {
    ours = new Authority('ours');
    others = new Authority('others');
    server = ours.issue('server');
    return () => {
      ours.close();
      others.close();
    };
  });

  async function started() {
    const tls = { cert: server.crt, key: server.key, clientCa: ours.certificate };
    // Client certificates are proof enough for an address that others can reach.
    const gateway = await startGateway({ service: await testService(), host: '0.0.0.0', port: 0, tls });
    afterTest(() => gateway.close());
    return gateway.address.replace('0.0.0.0', '127.0.0.1');
  }

  const connected = (address: string, clientCertPair?: Pair) =>
    Connection.connect({
      address,
      tls: { serverRootCACertificate: ours.certificate, clientCertPair },
      connectTimeout: '3s',
    });

  it('lets in who has a certificate of its authority', async () => {
    const connection = await connected(await started(), ours.issue('worker'));
    afterTest(() => connection.close());
    const { namespaces } = await connection.workflowService.listNamespaces({});
    expect(namespaces.map(({ namespaceInfo }) => namespaceInfo?.name)).toContain('default');
  });

  it.each([
    ['without a certificate', () => undefined],
    ['with one of another authority', () => others.issue('stranger')],
  ])('turns away who comes %s', async (_, certificate) => {
    const address = await started();
    await expect(connected(address, certificate())).rejects.toThrow('Failed to connect before the deadline');
  });
});
