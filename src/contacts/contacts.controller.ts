import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { ParseIdPipe } from '../api/parse-id.pipe.js';
import { type ListRequest, ListQuery } from '../api/list-request.js';
import { CreateRoute, DeleteRoute, ListRoute, ShowRoute, UpdateRoute } from '../api/routes.js';
import { CreateContactDto, UpdateContactDto } from './contact.dto.js';
import { contactResource } from './contact.resource.js';
import { ContactsService } from './contacts.service.js';

@ApiTags('contacts')
@Controller('api')
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  /** Lists contacts. */
  @Get('contacts')
  @ListRoute(contactResource)
  list(@ListQuery() list: ListRequest) {
    return this.contacts.list(list);
  }

  /** Lists the contacts that take part in a callout. */
  @Get('callouts/:id/contacts')
  @ListRoute(contactResource, { nested: true })
  listOfCallout(@Param('id', ParseIdPipe) id: number, @ListQuery() list: ListRequest) {
    return this.contacts.listOfCallout(id, list);
  }

  /** Creates a contact. */
  @Post('contacts')
  @CreateRoute(contactResource)
  create(@CheckedBody(CreateContactDto) contact: Checked<CreateContactDto>) {
    return this.contacts.create(contact);
  }

  /** Fetches a contact. */
  @Get('contacts/:id')
  @ShowRoute(contactResource)
  find(@Param('id', ParseIdPipe) id: number) {
    return this.contacts.find(id);
  }

  /** Updates a contact. */
  @Patch('contacts/:id')
  @HttpCode(204)
  @UpdateRoute()
  update(@Param('id', ParseIdPipe) id: number, @UpdateBody(contactResource) changes: CheckedUpdate<UpdateContactDto>) {
    return this.contacts.update(id, changes);
  }

  /** Updates a contact, as PATCH does. */
  @Put('contacts/:id')
  @HttpCode(204)
  @UpdateRoute()
  put(@Param('id', ParseIdPipe) id: number, @UpdateBody(contactResource) changes: CheckedUpdate<UpdateContactDto>) {
    return this.contacts.update(id, changes);
  }

  /** Deletes a contact that no other record refers to. */
  @Delete('contacts/:id')
  @HttpCode(204)
  @DeleteRoute()
  delete(@Param('id', ParseIdPipe) id: number) {
    return this.contacts.delete(id);
  }
}
