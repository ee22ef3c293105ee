/** The namespace's own search attributes: Add, Remove, List; and GetSearchAttributes. */
import type { temporal } from '@temporalio/proto';
import { invalidArgument, notFound } from './errors';
import type { Rpc, ServiceParts } from './types';
import { SYSTEM_TYPES, ValueType } from './visibility/attributes';

type AddRequest = temporal.api.operatorservice.v1.IAddSearchAttributesRequest;
type RemoveRequest = temporal.api.operatorservice.v1.IRemoveSearchAttributesRequest;
type ListRequest = temporal.api.operatorservice.v1.IListSearchAttributesRequest;
type ListResponse = temporal.api.operatorservice.v1.IListSearchAttributesResponse;

/** Adding one that is there with the same type is fine, as on Temporal; with another type it is refused. */
export function addSearchAttributes(parts: ServiceParts): Rpc<AddRequest, object> {
  return async (request) => {
    const attributes = request.searchAttributes ?? {};
    if (Object.keys(attributes).length === 0) throw invalidArgument('SearchAttributes are not set on request.');
    const namespace = await namespaceOf(parts, request.namespace);
    const known = await parts.store.namespaces.searchAttributeTypes(namespace.id);
    const added: Record<string, number> = {};
    for (const [name, type] of Object.entries(attributes)) {
      if (name in SYSTEM_TYPES || name.startsWith('Temporal')) {
        throw invalidArgument(`Search attribute ${name} is reserved by system.`);
      }
      if (!type || ValueType[type] === undefined) throw invalidArgument(`Unknown search attribute type: ${type}.`);
      if (known[name] === undefined) added[name] = type;
      else if (known[name] !== type) throw invalidArgument(`Search attribute ${name} already exists.`);
    }
    if (Object.keys(added).length > 0) await parts.store.namespaces.addSearchAttributes(namespace.id, added);
    // This process need not wait for its cache of namespaces to learn it.
    Object.assign(namespace.searchAttributeTypes, added);
    return {};
  };
}

export function removeSearchAttributes(parts: ServiceParts): Rpc<RemoveRequest, object> {
  return async (request) => {
    const names = request.searchAttributes ?? [];
    if (names.length === 0) throw invalidArgument('SearchAttributes are not set on request.');
    const namespace = await namespaceOf(parts, request.namespace);
    const known = await parts.store.namespaces.searchAttributeTypes(namespace.id);
    for (const name of names) {
      if (name in SYSTEM_TYPES) throw invalidArgument(`Unable to remove non-custom search attributes: ${name}.`);
      if (known[name] === undefined) throw notFound(`Search attribute ${name} doesn't exist.`);
    }
    await parts.store.namespaces.removeSearchAttributes(namespace.id, names);
    for (const name of names) delete namespace.searchAttributeTypes[name];
    return {};
  };
}

export function listSearchAttributes(parts: ServiceParts): Rpc<ListRequest, ListResponse> {
  return async (request) => {
    const namespace = await namespaceOf(parts, request.namespace);
    return {
      customAttributes: await parts.store.namespaces.searchAttributeTypes(namespace.id),
      systemAttributes: SYSTEM_TYPES,
      storageSchema: {},
    };
  };
}

/** Of no namespace: only those that every namespace has. */
export const getSearchAttributes: Rpc<object, temporal.api.workflowservice.v1.IGetSearchAttributesResponse> = () =>
  Promise.resolve({ keys: SYSTEM_TYPES });

function namespaceOf(parts: ServiceParts, name: string | null | undefined): ReturnType<ServiceParts['namespace']> {
  if (!name) throw invalidArgument('Namespace is not set on request.');
  return parts.namespace(name);
}
