import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors/config-error.js';

/**
 * Reads the certificates of a PEM file.
 *
 * @param name the name of the setting, for the error
 * @param path the path of the file
 * @returns the certificates, in PEM
 * @throws ConfigError when the file cannot be read, or has no certificate or an invalid one
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
