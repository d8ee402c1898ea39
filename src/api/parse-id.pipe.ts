import { Injectable, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../errors/errors.js';

/** An id in a path. What is no positive integer, or too large for one, names nothing: 404. */
@Injectable()
export class ParseIdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    const id = /^[1-9]\d*$/.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(id)) throw new NotFoundError();
    return id;
  }
}
