import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Checked, CheckedBody, type CheckedUpdate, UpdateBody } from '../api/checked-body.js';
import { Id } from '../api/id.pipe.js';
import { type ListRequest, Listing } from '../api/list-request.js';
import { Creates, Deletes, Lists, Shows, Updates } from '../api/routes.js';
import { CreateContactDto, UpdateContactDto } from './contact.dto.js';
import { contactResource } from './contact.resource.js';
import { ContactsService } from './contacts.service.js';

@ApiTags('contacts')
@Controller('api')
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  /** Lists contacts. */
  @Get('contacts')
  @Lists(contactResource)
  list(@Listing() list: ListRequest) {
    return this.contacts.list(list);
  }

  /** Lists the contacts that take part in a callout. */
  @Get('callouts/:id/contacts')
  @Lists(contactResource, { under: true })
  listOfCallout(@Param('id', Id) id: number, @Listing() list: ListRequest) {
    return this.contacts.listOfCallout(id, list);
  }

  /** Creates a contact. */
  @Post('contacts')
  @Creates(contactResource)
  create(@CheckedBody(CreateContactDto) contact: Checked<CreateContactDto>) {
    return this.contacts.create(contact);
  }

  /** Fetches a contact. */
  @Get('contacts/:id')
  @Shows(contactResource)
  find(@Param('id', Id) id: number) {
    return this.contacts.find(id);
  }

  /** Updates a contact. */
  @Patch('contacts/:id')
  @HttpCode(204)
  @Updates()
  update(@Param('id', Id) id: number, @UpdateBody(contactResource) changes: CheckedUpdate<UpdateContactDto>) {
    return this.contacts.update(id, changes);
  }

  /** Updates a contact, as PATCH does. */
  @Put('contacts/:id')
  @HttpCode(204)
  @Updates()
  put(@Param('id', Id) id: number, @UpdateBody(contactResource) changes: CheckedUpdate<UpdateContactDto>) {
    return this.contacts.update(id, changes);
  }

  /** Deletes a contact that no other record refers to. */
  @Delete('contacts/:id')
  @HttpCode(204)
  @Deletes()
  delete(@Param('id', Id) id: number) {
    return this.contacts.delete(id);
  }
}
