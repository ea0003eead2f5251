import { accessApi } from './access.ts'
import { adminsApi } from './admins.ts'
import type { ApiPlugin } from './api.ts'
import { apiTokensApi } from './api-tokens.ts'
import { auditApi } from './audit.ts'
import { deletedGroupsApi } from './deleted-groups.ts'
import { deletedPeopleApi } from './deleted-people.ts'
import { confirmDeviceApi } from './devices.ts'
import { directoriesApi } from './directories.ts'
import { directoryLifeApi } from './directory-life.ts'
import { eventsApi } from './events.ts'
import { groupsApi } from './groups.ts'
import { heldApi } from './held.ts'
import { historyApi } from './history.ts'
import { importsApi } from './imports.ts'
import { matchesApi } from './matches.ts'
import { namesApi } from './names.ts'
import { organizationApi } from './organization.ts'
import { passkeysApi } from './passkeys.ts'
import { peopleApi } from './people.ts'
import { provisionedApi } from './provisioned.ts'
import { pushMappingsApi } from './push-mappings.ts'
import { pushPlansApi } from './push-plans.ts'
import { pushRulesApi } from './push-rules.ts'
import { pushSourcesApi } from './push-sources.ts'
import { pushTargetsApi } from './push-targets.ts'
import { reconciliationsApi } from './reconciliations.ts'
import { requestsApi } from './requests.ts'
import { restoresApi } from './restores.ts'
import { reviewsApi } from './reviews.ts'
import { runsApi } from './runs.ts'
import { sessionApi } from './session.ts'
import { connectProviderApi } from './sign-in-by-provider.ts'
import { signInProvidersApi } from './sign-in-providers.ts'
import { suggestionsApi } from './suggestions.ts'
import { webhooksApi } from './webhooks.ts'
import { whoamiApi } from './whoami.ts'

/** The resources of `/api/v1`, a file each: an import above, a line here. */
export const apiRoutes: ApiPlugin[] = [
  whoamiApi,
  sessionApi,
  connectProviderApi,
  confirmDeviceApi,
  passkeysApi,
  adminsApi,
  signInProvidersApi,
  organizationApi,
  apiTokensApi,
  directoriesApi,
  directoryLifeApi,
  provisionedApi,
  matchesApi,
  requestsApi,
  reconciliationsApi,
  groupsApi,
  deletedGroupsApi,
  peopleApi,
  deletedPeopleApi,
  historyApi,
  restoresApi,
  accessApi,
  importsApi,
  reviewsApi,
  heldApi,
  namesApi,
  suggestionsApi,
  runsApi,
  auditApi,
  eventsApi,
  webhooksApi,
  pushSourcesApi,
  pushTargetsApi,
  pushRulesApi,
  pushMappingsApi,
  pushPlansApi,
]
