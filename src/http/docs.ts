import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Config } from '../config.js';

/** Serves Swagger UI at `/docs`, from this program alone, and the OpenAPI document at `/docs-json`. */
export function serveDocs(app: NestFastifyApplication, { basicAuth, publicUrl }: Config): void {
  const builder = new DocumentBuilder()
    .setTitle('Simple Call Flow Manager')
    .setDescription(
      'Calls everyone who must be warned, once, and tells who was reached. Form, JSON and multipart bodies mean the same; form keys nest ' +
        'with brackets (`metadata[name]=Alice`). Timestamps are UTC, ISO 8601 with milliseconds.',
    )
    .setVersion('1');
  if (publicUrl) builder.addServer(publicUrl);
  if (basicAuth) builder.addBasicAuth().addSecurityRequirements('basic');
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, builder.build()), {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'SCFM',
    swaggerOptions: { validatorUrl: null, tryItOutEnabled: true },
  });
}
