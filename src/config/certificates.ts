import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from './environment.js';

/**
 * The certificates of a PEM file.
 *
 * @param name of the setting that names the file
 * @throws ConfigError when the file cannot be read, has no certificate, or has a broken one
 */
export function readCertificates(name: string, path: string): string[] {
  try {
    const certificates = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (!certificates) throw new Error('it has no certificate');
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (error) {
    throw new ConfigError(`${name} must be a file with certificates in PEM: ${(error as Error).message} (${path}).`);
  }
}
