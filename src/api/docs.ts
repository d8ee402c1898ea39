import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule, getSchemaPath } from '@nestjs/swagger';
import type { Config } from '../config/config.js';
import { Failure } from './failure.dto.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Serves Swagger UI at `/docs`, without files from other hosts, and the OpenAPI document at `/docs-json`. */
export function serveDocs(app: NestFastifyApplication, { basicAuth, publicUrl }: Config): void {
  const builder = new DocumentBuilder()
    .setTitle('Simple Call Flow Manager')
    .setDescription(
      'Calls everyone who must be warned once, and reports who was reached. Form, JSON and multipart bodies are ' +
        'equivalent; form keys nest with brackets (`metadata[name]=Alice`). Timestamps are UTC, ISO 8601 with ' +
        'milliseconds.',
    )
    .setVersion('1');
  if (publicUrl) builder.addServer(publicUrl);
  if (basicAuth) builder.addBasicAuth().addSecurityRequirements('basic');
  const create = (): OpenAPIObject => {
    const document = SwaggerModule.createDocument(app, builder.build());
    return basicAuth ? withCredentialErrors(document) : document;
  };
  SwaggerModule.setup('docs', app, create, {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'SCFM',
    swaggerOptions: { validatorUrl: null, tryItOutEnabled: true },
  });
}

/** Adds the responses to wrong credentials to each operation that needs credentials. */
function withCredentialErrors(document: OpenAPIObject): OpenAPIObject {
  const failure = (description: string) => ({
    description,
    content: { 'application/json': { schema: { $ref: getSchemaPath(Failure) } } },
  });
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods as Record<string, OperationObject>)) {
      // Routes with @Public() have an empty list.
      if (operation.security?.length === 0) continue;
      operation.responses['401'] = failure('The credentials are missing or wrong.');
      operation.responses['429'] = failure(
        'There were too many wrong credentials from this address. Try again after `Retry-After`.',
      );
    }
  }
  return document;
}
