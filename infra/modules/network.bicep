// Optional: a virtual network for the app's way out, and private endpoints for all that holds data.
param name string
param location string
param tags object
param hostStorageId string
param dataStorageIds array
param serviceBusId string
param vaultId string

var storageSuffix = environment().suffixes.storage
var zoneNames = [
  'privatelink.blob.${storageSuffix}'
  'privatelink.table.${storageSuffix}'
  'privatelink.servicebus.windows.net'
  'privatelink.vaultcore.azure.net'
]
// zone: index into zoneNames
var fixedLinks = [
  { name: 'host-blob', targetId: hostStorageId, group: 'blob', zone: 0 }
  { name: 'host-table', targetId: hostStorageId, group: 'table', zone: 1 }
  { name: 'bus', targetId: serviceBusId, group: 'namespace', zone: 2 }
  { name: 'vault', targetId: vaultId, group: 'vault', zone: 3 }
]
var blobLinks = [for (id, i) in dataStorageIds: { name: 'data${i == 0 ? '' : string(i + 1)}-blob', targetId: id, group: 'blob', zone: 0 }]
var tableLinks = [for (id, i) in dataStorageIds: { name: 'data${i == 0 ? '' : string(i + 1)}-table', targetId: id, group: 'table', zone: 1 }]
var links = concat(fixedLinks, blobLinks, tableLinks)

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.60.0.0/24'
          delegations: [
            {
              name: 'app'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.60.1.0/24'
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zoneName in zoneNames: {
  name: zoneName
  location: 'global'
  tags: tags
}]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zoneName, i) in zoneNames: {
  parent: zones[i]
  name: 'app'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [for link in links: {
  name: 'pe-${name}-${link.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: '${network.id}/subnets/endpoints' }
    privateLinkServiceConnections: [
      {
        name: link.name
        properties: {
          privateLinkServiceId: link.targetId
          groupIds: [link.group]
        }
      }
    ]
  }
}]

resource endpointZones 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [for (link, i) in links: {
  parent: endpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: link.group
        properties: { privateDnsZoneId: zones[link.zone].id }
      }
    ]
  }
}]

output appSubnetId string = '${network.id}/subnets/app'
