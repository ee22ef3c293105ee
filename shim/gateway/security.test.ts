import { describe, expect, it } from 'vitest';
import { checkSecurity, isLoopback } from './security';

const tls = { cert: 'c', key: 'k' };

describe('the gateway', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('may be bound to %s without more', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(() => checkSecurity(host, {})).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', ''])('is not bound to %j without TLS and proof', (host) => {
    for (const security of [{}, { apiKey: 'k' }, { tls }]) {
      expect(() => checkSecurity(host, security)).toThrow(
        expect.objectContaining({ code: 'BRANCHLINE_GATEWAY_INSECURE' }),
      );
    }
    expect(() => checkSecurity(host, { tls, apiKey: 'k' })).not.toThrow();
    expect(() => checkSecurity(host, { tls: { ...tls, clientCa: 'ca' } })).not.toThrow();
  });

  it('takes no empty key', () => {
    expect(() => checkSecurity('127.0.0.1', { apiKey: '' })).toThrow(
      expect.objectContaining({ code: 'BRANCHLINE_GATEWAY_API_KEY' }),
    );
  });
});
