"""Queries to begin with: the tabs of the console, and what the demo prints."""

ORDERS = """\
query Orders {
  purchaseOrders(first: 50, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
    nodes {
      number
      status
      updatedAt
      vendor { name }
      total { amount currency }
      lines(first: 3) { nodes { description quantityOrdered { value unit } } }
      connection { name system { title } }
    }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources { connection { name } status count durationMs upstreamCalls error { code message remediation } }
  }
}
"""

WAITING = """\
query WaitingForApproval {
  purchaseOrders(
    filter: {status: {in: [DRAFT, PENDING_APPROVAL]}, total: {amount: {gt: "1000"}}}
    orderBy: [{field: TOTAL, direction: DESC}]
  ) {
    nodes { number status approvalStatus total { amount currency } vendor { name isBlockedForPurchasing } }
    isComplete
    sources { connection { name } status count filteredHere upstreamCalls }
  }
}
"""

ASSETS = """\
query Assets {
  assets(first: 20, orderBy: [{field: NAME}]) {
    nodes {
      number
      name
      kind
      status
      path
      workOrders(first: 3, filter: {status: {notIn: [COMPLETED, CLOSED, CANCELED]}}) {
        nodes { number title status priority isOverdue vendor { name } }
      }
      connection { name system { title } }
    }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources { connection { name } status count upstreamCalls }
  }
}
"""

WORK = """\
query Work {
  workOrders(first: 20, filter: {status: {in: [PLANNED, RELEASED, IN_PROGRESS]}}) {
    nodes {
      number
      title
      status
      priority
      dueAt
      isOverdue
      asset { path criticality }
      vendor { name }
      tasks(first: 3) { nodes { title status } }
      parts(first: 3) { nodes { item { number name onHand { value sourceUnit } } quantityPlanned { value } } }
      connection { name }
    }
    isComplete
    sources { connection { name } status count upstreamCalls }
  }
}
"""

STOCK = """\
query WhatIsShort {
  inventoryItems(first: 20, filter: {isBelowMinimum: {eq: true}}, orderBy: [{field: NAME}]) {
    nodes {
      number
      name
      onHand { value sourceUnit }
      reorderPoint { value }
      leadTimeDays
      preferredVendor { name }
      stockLevels(first: 5) { nodes { location { code name } onHand { value } available { value } } }
      connection { name }
    }
    pageInfo { hasNextPage endCursor }
    sources { connection { name } status count upstreamCalls }
  }
}
"""

MISSING = """\
query WhatIsMissing {
  purchaseOrders(first: 5) {
    nodes {
      number
      title
      receiptStatus
      requiredDate
      connection { name }
      meta { source fetchedAt missing { path reason } }
    }
    sources { connection { name } status calls { purpose path requests } }
  }
}
"""

VENDORS = """\
query Vendors {
  vendors(filter: {text: "service"}, orderBy: [{field: NAME}]) {
    nodes { number name status category { code } connection { name } }
    pageInfo { hasNextPage endCursor }
    sources { connection { name } status count filteredHere }
  }
}
"""

CONNECTED = """\
query Connected {
  viewer { apiKey { name kind scopes } customer { name } }
  connections { nodes { name lifecycle system { title vendor } authorizedAt tokenPreview } }
  systems { key title authMethods { key fields { name label isSecret } } }
}
"""

STATUS = """\
subscription Status {
  connectionStatus {
    connection { name status statusReason { message since remediation } system { title } }
    event { name occurredAt }
    cursor
  }
}
"""

EXAMPLES = (
    {"title": "Orders of every system, latest change first, with vendors and lines", "query": ORDERS},
    {"title": "What waits for approval, largest first; S/4HANA has no total, so it is made here", "query": WAITING},
    {"title": "Assets of every system, with their place and the work that is open on them", "query": ASSETS},
    {"title": "Work to be done, with its asset, steps and material and what there is of it", "query": WORK},
    {"title": "How much of each item is where", "query": STOCK},
    {"title": "Why a field is empty, and which calls were made", "query": MISSING},
    {"title": "Vendors of every system", "query": VENDORS},
    {"title": "Who is asking, and what is connected", "query": CONNECTED},
    {"title": "How every connection is, and each change from now on; press Stop to end it", "query": STATUS},
)
