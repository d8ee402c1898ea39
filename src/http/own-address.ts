import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';

/** Where this program is reached. Without a `PUBLIC_URL` that is known only once it listens. */
@Injectable()
export class OwnAddress {
  private tell!: (origin: string) => void;
  private readonly listening = new Promise<string>((resolve) => (this.tell = resolve));

  constructor(private readonly config: Config) {}

  /** Says that the program listens at `origin`. */
  listensAt(origin: string): void {
    this.tell(origin);
  }

  /** How the provider's webhooks reach us, without a slash at the end. */
  async outside(): Promise<string> {
    return this.config.publicUrl ?? this.listening;
  }

  /** Every address of this program that we know: the outside's, and the one that it listens at. */
  async all(): Promise<string[]> {
    return [await this.outside(), await this.listening];
  }

  /** Where the provider's API is, when it is the simulator in the box. */
  async simulator(): Promise<string> {
    const { answersApi, publicUrl } = this.config;
    return `${answersApi ? await this.listening : (publicUrl ?? (await this.listening))}/simulator`;
  }
}
