// Two accounts: the host's (packages, locks) and the data's (tables). No keys, no public blobs.
param hostName string
param dataName string
param location string
param tags object
@description('The content of tables.json.')
param tableList object
param isPrivate bool
param zoneRedundant bool

var skuName = zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
var publicNetworkAccess = isPrivate ? 'Disabled' : 'Enabled'
var networkAcls = {
  defaultAction: isPrivate ? 'Deny' : 'Allow'
  bypass: 'AzureServices'
}

resource host 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: skuName }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: networkAcls
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: host
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: hostBlobs
  name: 'packages'
  properties: { publicAccess: 'None' }
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: dataName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: skuName }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: networkAcls
  }
}

resource dataTables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: data
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [for table in tableList.tables: {
  parent: dataTables
  name: table.name
}]

output hostId string = host.id
output hostName string = host.name
output packageContainerName string = packages.name
output dataId string = data.id
output dataName string = data.name
output tablesEndpoint string = data.properties.primaryEndpoints.table
