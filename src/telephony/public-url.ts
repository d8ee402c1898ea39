import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';

/** The URL at which the provider reaches this program. Without `PUBLIC_URL` it is known once the program listens. */
@Injectable()
export class PublicUrl {
  private resolveOrigin!: (origin: string) => void;
  private readonly origin = new Promise<string>((resolve) => (this.resolveOrigin = resolve));

  constructor(private readonly config: Config) {}

  /** Sets the origin at which the program listens. The other methods wait for it where they need it. */
  setOrigin(origin: string): void {
    this.resolveOrigin(origin);
  }

  /** @returns the base URL of the provider's webhooks, without a trailing slash */
  async get(): Promise<string> {
    return this.config.publicUrl ?? this.origin;
  }

  /** @returns every known base URL of this program: the public one, and the one at which it listens */
  async all(): Promise<string[]> {
    return [await this.get(), await this.origin];
  }

  /** @returns the base URL of the built-in simulator's API */
  async simulator(): Promise<string> {
    const { servesApi, publicUrl } = this.config;
    return `${servesApi ? await this.origin : (publicUrl ?? (await this.origin))}/simulator`;
  }
}
