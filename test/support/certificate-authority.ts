import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPrograms } from '../../scripts/programs.mjs';

const { openssl } = findPrograms({ openssl: 'openssl' }) as { openssl: string };

/** The paths of a certificate and of its private key. */
export interface Certificate {
  certificate: string;
  key: string;
}

/** A certificate authority that issues certificates for tests. Creating one generates its root certificate. */
export class CertificateAuthority {
  /** The path of the root certificate. */
  readonly certificate: string;
  private readonly key: string;

  /** @param name the authority's common name, and the prefix of its files in `folder` */
  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {
    [this.certificate, this.key] = [this.filePath(name, 'crt'), this.filePath(name, 'key')];
    const request = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`];
    runOpenssl('req', '-x509', ...request, '-days', '2', '-keyout', this.key, '-out', this.certificate);
  }

  /**
   * Issues a certificate.
   *
   * @param names the subject alternative names, such as `IP:127.0.0.1,DNS:localhost`
   */
  issue(names: string): Certificate {
    const name = `${this.name}-${names.replaceAll(/\W/g, '-')}`;
    const [certificate, key, request] = [
      this.filePath(name, 'crt'),
      this.filePath(name, 'key'),
      this.filePath(name, 'csr'),
    ];
    const extensions = this.filePath(name, 'ext');
    writeFileSync(extensions, `subjectAltName=${names}`);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=server'];
    runOpenssl('req', ...curve, '-keyout', key, '-out', request);
    const authority = ['-CA', this.certificate, '-CAkey', this.key, '-CAcreateserial', '-extfile', extensions];
    runOpenssl('x509', '-req', '-in', request, ...authority, '-days', '2', '-out', certificate);
    return { certificate, key };
  }

  private filePath(name: string, ending: string): string {
    return join(this.folder, `${name}.${ending}`);
  }
}

function runOpenssl(...args: string[]): void {
  execFileSync(openssl, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
