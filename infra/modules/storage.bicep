// The host's account (packages, locks) and those of the data (tables), one or more. No keys, no public blobs.
param hostName string
param dataNames array
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

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' = [for dataName in dataNames: {
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
}]

resource dataTables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = [for (dataName, i) in dataNames: {
  parent: data[i]
  name: 'default'
}]

// Every table in every account: which rows lie where is decided by the hash of their partition (shared/tables.py).
resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [for i in range(0, length(dataNames) * length(tableList.tables)): {
  parent: dataTables[i / length(tableList.tables)]
  name: tableList.tables[i % length(tableList.tables)].name
}]

output hostId string = host.id
output hostName string = host.name
output packageContainerName string = packages.name
output dataIds array = [for (dataName, i) in dataNames: data[i].id]
output dataNames array = [for (dataName, i) in dataNames: data[i].name]
output tablesEndpoints array = [for (dataName, i) in dataNames: data[i].properties.primaryEndpoints.table]
