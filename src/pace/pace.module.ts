import { Global, Module } from '@nestjs/common';
import { Paces } from './paces.js';

@Global()
@Module({ providers: [Paces], exports: [Paces] })
export class PaceModule {}
